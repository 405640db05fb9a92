"""Says which form Values have: ``python -m autograd.native``."""

from autograd.native.form import choose

if __name__ == "__main__":
    print(f"Values run in {choose()[1]}")
