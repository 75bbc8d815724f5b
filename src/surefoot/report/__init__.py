"""From facts to pages. Knows: how numbers are shown. Must never: compute one."""
