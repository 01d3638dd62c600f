"""The compiled engine: the same rules, the same story, over arrays; believed because it is proven equal."""
