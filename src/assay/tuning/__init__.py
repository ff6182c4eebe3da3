"""The search for hyperparameters: Optuna, and nobody else, lives here."""
