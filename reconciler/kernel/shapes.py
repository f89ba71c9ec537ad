"""How the fields of an object are written down as data, so that a typing mistake is told before any rule looks at values.

One row per type: `name` is a scalar, `name:text` a string, `name[]` a list, `name:Type` and `name[]:Type` objects of another row,
`name*` anything. A row that ends in `...` may have other fields.
"""

from collections.abc import Mapping

Shapes = Mapping[str, str]
"""Rows by the name of their type."""
