"""Bodies in protobuf, decoded only: the wire format, field-number tables as data, and plain values as JSON would have them."""
