package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"smtp-proxy/proxy"
)

// CaCommand makes and shows the local authority, whose certificates the app
// sees where --app-tls offers TLS.
func (p *program) CaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "make, show and print how to trust the local certificate authority; print the rules of a redirecting firewall",
		Args:  noArguments,
		RunE:  func(*cobra.Command, []string) error { return p.showCA(false) },
	}
	cmd.AddCommand(p.caMake(), p.caShow(), p.caTrust(), p.caRedirect())
	return cmd
}

func (p *program) caMake() *cobra.Command {
	return &cobra.Command{
		Use:   "make",
		Short: "make the authority unless it is there, and show it",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			dir, err := p.authorityDir()
			if err != nil {
				return err
			}
			if _, err := proxy.OpenAuthority(dir, p.now()); err != nil {
				return err
			}
			return p.showCA(false)
		},
	}
}

func (p *program) caShow() *cobra.Command {
	var asPEM bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "show where the authority is, how long it lasts, its fingerprint",
		Args:  noArguments,
		RunE:  func(*cobra.Command, []string) error { return p.showCA(asPEM) },
	}
	cmd.Flags().BoolVar(&asPEM, "pem", false, "print the certificate itself")
	return cmd
}

func (p *program) caTrust() *cobra.Command {
	return &cobra.Command{
		Use:   "trust [SYSTEM]",
		Short: "print how to trust the authority: on Debian, in Java, Node.js …",
		Args:  arguments(0, 1, ""),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return recipeNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := p.authorityFile()
			if err != nil {
				return err
			}
			return p.printTrust(path, strings.Join(args, ""))
		},
	}
}

// authorityDir returns where the authority is kept.
func (p *program) authorityDir() (string, error) {
	dir, err := p.dataDir()
	if err == nil && dir == "none" {
		err = usagef("--data none keeps no authority: name a directory with --data DIR")
	}
	return dir, err
}

func (p *program) authorityFile() (string, error) {
	dir, err := p.authorityDir()
	if err != nil {
		return "", err
	}
	return filepath.Abs(filepath.Join(dir, "ca.pem"))
}

func (p *program) showCA(asPEM bool) error {
	path, err := p.authorityFile()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no authority at %s yet: make it with smtp-proxy ca make", path)
	}
	if err != nil {
		return err
	}
	if asPEM {
		_, err = p.stdout.Write(text)
		return err
	}
	return p.describeCA(path, text)
}

func (p *program) describeCA(path string, text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%s holds no certificate: remove it, and make another with smtp-proxy ca make", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w: remove it, and make another with smtp-proxy ca make", path, err)
	}
	fmt.Fprintf(p.stdout, "file         %s\nsubject      %s\nvalid        %s to %s (%s)\nfingerprint  SHA-256 %s\n",
		path, c.Subject, c.NotBefore.Format("2006-01-02"), c.NotAfter.Format("2006-01-02"), daysLeft(c.NotAfter, p.now()), fingerprint(c.Raw))
	fmt.Fprintf(p.stdout, "\nsmtp-proxy ca trust prints how to make apps trust it, smtp-proxy ca show --pem the certificate itself.\n")
	return nil
}

// fingerprint is written as openssl x509 -fingerprint does.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}
