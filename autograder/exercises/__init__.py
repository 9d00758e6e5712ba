"""Cases, mistakes and other correct ways of every exercise; one module per topic."""
