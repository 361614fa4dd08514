package probe

import (
	"net/netip"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// known is what the steps of one check have found out for those behind them. A
// field belongs to the step named beside it: that one sets it before it ends,
// and others read it only if their step names that one in after.
type known struct {
	addrs    []netip.Addr    // dns: the addresses of the smarthost, in the order of the answers
	contacts []contact       // tcp: those of the addresses that answer
	alias    string          // dns: the name at the end of the smarthost's aliases; empty without any
	mailFor  []string        // mx: the domains whose mail exchanger the smarthost is; empty for a mere smarthost
	mailAs   string          // mx: the name under which it is
	dialogue []session.Entry // dialogue: the session with the smarthost
	spoken   upstream.Target // dialogue: the target, its mode being what the port speaks: auto is settled where that could be found out
	egress   netip.Addr      // egress: this machine's address as the smarthost sees it
}

// noConnection is why many steps are left out where the smarthost cannot be
// reached. That they say it alike lets a reader see it once.
const noConnection = "there was no connection"
