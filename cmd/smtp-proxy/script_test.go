package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"smtp-proxy/testenv"
)

// exitCode runs a command line and demands its exit code, which testscript's
// own exec knows only as failed or not. Its output is compared with
// "stdout" and "stderr" as usual.
//
//	exitcode 64 smtp-proxy tial
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v: %v", args[1:], err)
	}
	if got != want {
		ts.Fatalf("%v ended with %d, want %d", args[1:], got, want)
	}
}

// patience bounds each wait of a script; nothing takes as long.
const patience = 20 * time.Second

// send is an app that sends one message; its verdict goes to stdout.
//
//	send PORT FROM TO[,TO…] [USER PASSWORD]
func send(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 && len(args) != 5 {
		ts.Fatalf("usage: send PORT FROM TO[,TO…] [USER PASSWORD]")
	}
	app := testenv.App{Addr: "127.0.0.1:" + args[0], From: args[1], To: strings.Split(args[2], ",")}
	if len(args) == 5 {
		app.User, app.Password = args[3], args[4]
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v, err := app.Send(ctx)
	if err != nil {
		ts.Fatalf("send: %v", err)
	}
	io.WriteString(ts.Stdout(), fmt.Sprintf("%s %d %s\n", v.Phase, v.Reply.Code, v.Reply.Text()))
}

// get prints the status and body of an HTTP answer.
//
//	get $PROXY_HEALTH
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get URL")
	}
	answer, err := http.Get(args[0])
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s", answer.StatusCode, body)
}
