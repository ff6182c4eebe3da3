"""Why the model said so: SHAP and LIME through a plain callable, and how far to believe them."""
