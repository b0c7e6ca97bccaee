package main

func agentsCommand(arguments []string) error { return nil }
