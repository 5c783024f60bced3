"""What a tool is written with: declarations only, nothing is done here."""
