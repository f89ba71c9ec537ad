"""The hand that asks AWS: who we are there, signatures, the query protocol, and load balancers. Reads only, over HTTP as all others."""
