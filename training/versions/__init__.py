"""Model versions made elsewhere, evaluated, compared and promoted."""
