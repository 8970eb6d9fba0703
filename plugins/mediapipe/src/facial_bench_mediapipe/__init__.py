"""MediaPipe's FaceLandmarker as a tracker of facial-bench."""
