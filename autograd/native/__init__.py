"""The compiled form of `Value`: C that is written from the table of operations, and the choice between both forms."""
