"""The command line of Leadloop."""


def main() -> None:
    pass
