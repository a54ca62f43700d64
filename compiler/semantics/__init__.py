"""What a device does with packets: both trees lowered to one small machine."""
