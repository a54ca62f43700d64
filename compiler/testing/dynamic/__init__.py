"""Networks as they behave: built in the simulator, tried with packets and connections, faults and all."""
