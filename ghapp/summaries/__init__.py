"""What the numbers over many audits mean. It opens nothing; the store answers with them."""
