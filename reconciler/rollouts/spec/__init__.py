"""What a person wrote: the spec with every default, parsed (contract 1). Pure."""
