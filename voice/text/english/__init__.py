"""What English alone needs: normalization rules and pronunciation."""
