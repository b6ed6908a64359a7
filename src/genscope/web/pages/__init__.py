"""The routes of the pages, a module for each. They are plain `def`s, which run in threads, because the reader blocks."""
