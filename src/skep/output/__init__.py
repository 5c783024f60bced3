"""From records to text: generated decoders, tables, JSON lines, CSV, histograms."""
