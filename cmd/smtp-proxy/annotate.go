package main

import "smtp-proxy/inspect"

// annotator returns what explains a session.
func (x *plant) annotator() (func(*inspect.Session) []inspect.Finding, error) { return nil, nil }
