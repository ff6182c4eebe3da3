"""What an ensemble must be given: for tokens members that can answer for each of them too."""


def knobs(kind):
    return {"of": "gru"} if kind == "tokens" else {}
