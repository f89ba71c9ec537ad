"""Where requests go: service selectors, the weight to route, the capacity it needs (contract 9.1, 5.3). Pure."""
