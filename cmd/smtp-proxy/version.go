package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

// VersionCommand prints what --version prints.
func (p *program) VersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version and what it was built from",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(p.stdout, "smtp-proxy", version())
			return err
		},
	}
}

// version reads what the Go tool stamped into the binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown " + runtime.Version()
	}
	number := info.Main.Version
	if number == "" || number == "(devel)" {
		number = "devel" + revision(info)
	}
	return fmt.Sprintf("%s %s %s/%s", number, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}

// builtAt returns when the source was committed that the binary was built
// from; a clock that shows less is wrong. Zero when that is not known.
func builtAt() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			at, _ := time.Parse(time.RFC3339, s.Value)
			return at
		}
	}
	return time.Time{}
}

func revision(info *debug.BuildInfo) string {
	facts := map[string]string{}
	for _, s := range info.Settings {
		facts[s.Key] = s.Value
	}
	commit := facts["vcs.revision"]
	if commit == "" {
		return ""
	}
	if facts["vcs.modified"] == "true" {
		return "-" + commit[:min(12, len(commit))] + "-modified"
	}
	return "-" + commit[:min(12, len(commit))]
}
