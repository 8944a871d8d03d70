"""EDIFACT: interchanges of messages, in syntax versions 1 to 4, with a release character for data that separates."""
