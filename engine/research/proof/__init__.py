"""What every strategy has to survive: batteries, revealed feeds, trails of everything a run leaves."""
