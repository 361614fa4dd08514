package main

import (
	"net"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"

	"smtp-proxy/policy"
)

// caRedirect prints the firewall's part of --transparent. It stands beside the
// authority because both are what the proxy needs done outside itself.
func (p *program) caRedirect() *cobra.Command {
	r := redirection{ports: mailPorts{25, 465, 587, 2525}, User: "smtp-proxy"}
	listen, remove := policy.Defaults().Listen, false
	cmd := &cobra.Command{
		Use:   "redirect [FIREWALL]",
		Short: "print the firewall rules that lead apps to run --transparent",
		Long: `Prints the rules with which the firewall of this machine leads connections to
smarthosts through smtp-proxy run --transparent, for each kind of firewall, or
alone and ready to be loaded for the one that is named.

The proxy must run as a user of its own (--user): the rules leave that user's
connections alone, as the proxy could reach no smarthost otherwise.

Without --allow-from the rules are for the programs of this machine. With it
they lead what this machine forwards for others through the proxy, too: for
containers and for machines whose gateway this is. REDIRECT then needs a
listener beyond loopback (--listen 0.0.0.0:1025 or [::]:1025).`,
		Example: `  smtp-proxy ca redirect nft | sudo nft -f -
  smtp-proxy ca redirect nft --remove | sudo nft -f -
  smtp-proxy ca redirect iptables --user mail --ports 587 | sudo sh
  smtp-proxy ca redirect nft --allow-from 172.16.0.0/12`,
		Args: arguments(0, 1, ""),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return redirectNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := r.settle(listen); err != nil {
				return usage(err)
			}
			return p.printRedirect(r, append(args, "")[0], remove)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", listen, "`host:port` of run --transparent")
	f.Var(&r.ports, "ports", "ports on which apps reach smarthosts")
	f.StringVar(&r.User, "user", r.User, "`name` or number of the user that the proxy runs as, and nothing else")
	f.Var((*nets)(&r.from), "allow-from", "lead forwarded connections from there through the proxy, too")
	f.BoolVar(&remove, "remove", false, "print what takes the rules away again")
	return cmd
}

// settle checks what the rules are made of: they are run as root.
func (r *redirection) settle(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		err = (&mailPorts{}).Set(port)
	}
	if err != nil {
		return usagef("--listen %q is no address with a port: write host:port as for run, such as localhost:1025", listen)
	}
	if !userName.MatchString(r.User) {
		return usagef("--user %q is no user of this machine: give a name or a number", r.User)
	}
	r.Port, err = strconv.Atoi(port)
	return err
}

// userName is what useradd accepts, and what a shell reads as a word.
var userName = regexp.MustCompile(`^([a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})$`)
