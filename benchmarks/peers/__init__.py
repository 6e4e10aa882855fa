"""Other taggers, trained and measured on one treebank beside rnntag; each has an adapter here."""
