"""What a model is: definitions. Fitted ones are bundles, none in git."""
