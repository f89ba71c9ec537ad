"""Where requests go: service selectors, the weight to route, the capacity it needs, and what a router is (contract 9.1, 5.3). Pure."""
