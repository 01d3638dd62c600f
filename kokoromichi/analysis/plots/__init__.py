"""Charts of the metrics: axes in, axes out, one palette, units on every axis.

Every function takes a metric's frame, collected, with a column ``replication`` (Int64) where there are
several runs, and draws on the axes given or on a figure of its own, which pyplot does not know and a notebook
shows by itself. An empty frame gives axes that say "no data".
"""
