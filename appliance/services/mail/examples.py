"""The hospital's mail to try things on: wards, nurses, doctors and administration, their people, lists and aliases.

None of the passwords is told: the postmaster gives a new one.
"""

from __future__ import annotations

from appliance.contract.context import Context
from appliance.services.mail.accounts import make
from appliance.services.mail.aliases import add_alias
from appliance.services.mail.description import Senders
from appliance.services.mail.directory import directory_of
from appliance.services.mail.groups import add_group
from appliance.services.mail.model import Alias, Department, Group, NewAccount, Settings, SettingsChange
from appliance.services.mail.passwords import hashed
from appliance.services.mail.setting_up import change_the_settings
from appliance.services.mail.tables import ACCOUNTS, DEPARTMENTS
from appliance.services.system.passwords import one_time
from appliance.store.rows import add_row, change_row, values_of

__all__ = ["load"]

DEPARTMENTS_OF_THE_HOUSE = (
    ("wards", "Wards", None),
    ("nurses", "Nurses", 250),
    ("doctors", "Doctors", 2000),
    ("administration", "Administration", 1000),
)
PEOPLE = (
    # The first is the postmaster.
    ("siti.rahma", "Siti Rahmawati", "administration"),
    ("hasan.basri", "Hasan Basri", "administration"),
    ("nurul.hidayah", "Nurul Hidayah", "administration"),
    ("andi.mappanyukki", "dr. Andi Mappanyukki, Sp.PD", "doctors"),
    ("ratna.dewi", "dr. Ratna Dewi Lestari, Sp.A", "doctors"),
    ("yusuf.daeng", "dr. Yusuf Daeng Matutu", "doctors"),
    ("fitriani", "Ns. Fitriani Amir", "nurses"),
    ("budi.santoso", "Ns. Budi Santoso", "nurses"),
    ("sri.wahyuni", "Ns. Sri Wahyuni", "nurses"),
    ("muh.ilham", "Ns. Muhammad Ilham", "nurses"),
    ("ward.melati", "Ward Melati, desk", "wards"),
    ("ward.anggrek", "Ward Anggrek, desk", "wards"),
    ("agus.salim", "Agus Salim (retired)", "administration"),
)
SUSPENDED = "agus.salim"
ALIASES = (
    ("director", ("hasan.basri",), "The director of the day"),
    ("it", ("siti.rahma",), "Machines and mail"),
    ("rooms", ("ward.melati", "ward.anggrek"), "Which rooms are free"),
    ("lab", ("lab@prodia.example",), "The laboratory outside"),
)
GROUPS = (
    ("nurses", "All nurses", ("nurses",), (), Senders.ACCOUNTS),
    ("doctors", "All doctors", ("doctors",), (), Senders.ACCOUNTS),
    ("care", "Nurses, doctors and wards", ("nurses", "doctors", "wards"), (), Senders.MEMBERS),
    ("everybody", "The whole house", ("nurses", "doctors", "wards", "administration"), (), Senders.POSTMASTER),
    ("info", "Questions from outside", (), ("nurul.hidayah", "hasan.basri"), Senders.ANYBODY),
)


def load(context: Context) -> None:
    """Fill an empty service."""
    settings = Settings(address="192.168.10.2", networks=("192.168.10.0/24", "192.168.20.0/24"))
    change_the_settings.function(context, SettingsChange(version=0, row=settings))
    for name, title, quota in DEPARTMENTS_OF_THE_HOUSE:
        add_row(context, DEPARTMENTS, "name", values_of(Department(name=name, title=title, quota=quota)), "department")
    for name, full_name, department in PEOPLE:
        account = NewAccount(name=name, full_name=full_name, department=department)
        make(context, directory_of(context), account, "", hashed(one_time()))
    change_row(context, ACCOUNTS, "name", SUSPENDED, 1, {"active": False}, "account")
    for name, targets, note in ALIASES:
        add_alias.function(context, Alias(name=name, targets=targets, note=note))
    for name, title, departments, members, senders in GROUPS:
        group = Group(name=name, title=title, departments=departments, members=members, senders=senders)
        add_group.function(context, group)
