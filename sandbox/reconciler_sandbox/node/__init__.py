"""A node that runs pods as small HTTP servers on loopback addresses of their own and containers that call them."""
