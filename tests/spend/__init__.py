"""Money: prices, costs, and what is said about them."""
