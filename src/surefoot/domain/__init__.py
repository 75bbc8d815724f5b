"""The nouns of the house: frozen, slotted, and unable to do anything."""
