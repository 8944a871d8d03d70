"""The web: intake for machines, the console for people, health for both."""
