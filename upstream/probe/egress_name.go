package probe

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// generic says why a name looks like one that a provider gives to a line, and
// not like that of a mail server; empty when it does not.
func generic(name string, addr netip.Addr) string {
	if hasOctets(name, addr) {
		return "it is made from the address"
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' })
	for _, word := range []string{"dynamic", "dyn", "dynip", "dhcp", "dsl", "adsl", "vdsl", "xdsl", "cable", "pool", "pools", "dialup", "dial", "dip", "ppp", "pppoe", "broadband", "cust", "customer", "customers", "catv", "ftth", "fiber", "residential", "wireless", "mobile"} {
		if slices.Contains(words, word) {
			return fmt.Sprintf("it has %q in it", word)
		}
	}
	return ""
}

// hasOctets reports whether a name holds the address: three of its octets in a
// row, forwards or backwards, or all of it in hexadecimal.
func hasOctets(name string, addr netip.Addr) bool {
	if addr.Is6() {
		last := addr.As16()
		return strings.Contains(strings.ReplaceAll(name, "-", ""), hex.EncodeToString(last[12:])) && last[12]|last[13] != 0
	}
	octets := addr.As4()
	if strings.Contains(name, hex.EncodeToString(octets[:])) {
		return true
	}
	numbers := strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' })
	for i, n := range numbers {
		numbers[i] = strings.TrimLeft(n, "0")
	}
	text := "." + strings.Join(numbers, ".") + "."
	o := [4]string{}
	for i, octet := range octets {
		o[i] = strings.TrimLeft(fmt.Sprint(octet), "0")
	}
	for _, run := range [][]string{o[:3], o[1:], {o[2], o[1], o[0]}, {o[3], o[2], o[1]}} {
		if strings.Contains(text, "."+strings.Join(run, ".")+".") {
			return true
		}
	}
	return false
}
