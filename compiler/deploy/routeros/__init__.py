"""Deploy to RouterOS by its API: plan, arm the return on the device, apply, verify, confirm or roll back.

- ``access``: where, and with what trust; ``session``: one connection, and its errors in plain words.
- ``menus``: the menus a balance is made of, rows in one normal form; ``wanted``: the compiled script as rows.
- ``difference``, ``ordering``, ``steps``: what changes; ``foreign``: what of others is in the way.
- ``restoring``: the script that puts back what was there; ``arming``: where it waits on the device.
- ``carrying``: the steps, said one by one; ``verifying``: the rows read back, compared and proved.
- ``deployment``: all of it in order, and what is done when the connection is lost.
"""
