constants = dict(
    rgb_mean=[0.485, 0.456, 0.406],
    bgr_mean=[103.53, 116.28, 123.675],
)
