"""What vendors of agents report of usage and money, day by day. It stores nothing."""
