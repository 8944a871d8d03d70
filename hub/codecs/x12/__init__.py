"""X12: interchanges of groups of sets, separated by characters that each interchange chooses."""
