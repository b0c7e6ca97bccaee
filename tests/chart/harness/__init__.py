"""What the tests of the chart and the image stand on."""
