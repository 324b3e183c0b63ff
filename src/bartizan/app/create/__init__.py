"""Skeletons to begin from: policies, tests, exceptions, values, users and waivers, commented, and right as they are."""
