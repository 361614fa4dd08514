//go:build unix

package upstream

import (
	"syscall"

	"smtp-proxy/proxy/session"
)

// errnos is what the operating system calls the troubles that are told apart.
func errnos() []errno {
	return []errno{
		{syscall.ECONNREFUSED, "ECONNREFUSED", session.FaultRefused},
		{syscall.ETIMEDOUT, "ETIMEDOUT", session.FaultTimeout},
		{syscall.EHOSTUNREACH, "EHOSTUNREACH", session.FaultUnreachable},
		{syscall.ENETUNREACH, "ENETUNREACH", session.FaultUnreachable},
		{syscall.EHOSTDOWN, "EHOSTDOWN", session.FaultUnreachable},
		{syscall.ENETDOWN, "ENETDOWN", session.FaultUnreachable},
		{syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL", session.FaultUnreachable},
		{syscall.EAFNOSUPPORT, "EAFNOSUPPORT", session.FaultUnreachable},
		{syscall.ECONNRESET, "ECONNRESET", session.FaultReset},
		{syscall.ECONNABORTED, "ECONNABORTED", session.FaultReset},
		{syscall.EPIPE, "EPIPE", session.FaultReset},
		{syscall.EACCES, "EACCES", session.FaultPermission},
		{syscall.EPERM, "EPERM", session.FaultPermission},
		{syscall.EMFILE, "EMFILE", session.FaultDescriptors},
		{syscall.ENFILE, "ENFILE", session.FaultDescriptors},
	}
}
