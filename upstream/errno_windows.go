package upstream

import (
	"golang.org/x/sys/windows"

	"smtp-proxy/proxy/session"
)

// errnos is what Winsock calls the troubles that are told apart. They carry
// the names that they have everywhere else, so that a record reads the same.
func errnos() []errno {
	return []errno{
		{windows.WSAECONNREFUSED, "ECONNREFUSED", session.FaultRefused},
		{windows.WSAETIMEDOUT, "ETIMEDOUT", session.FaultTimeout},
		{windows.ERROR_SEM_TIMEOUT, "ETIMEDOUT", session.FaultTimeout},
		{windows.WSAEHOSTUNREACH, "EHOSTUNREACH", session.FaultUnreachable},
		{windows.WSAENETUNREACH, "ENETUNREACH", session.FaultUnreachable},
		{windows.WSAEHOSTDOWN, "EHOSTDOWN", session.FaultUnreachable},
		{windows.WSAENETDOWN, "ENETDOWN", session.FaultUnreachable},
		{windows.WSAEADDRNOTAVAIL, "EADDRNOTAVAIL", session.FaultUnreachable},
		{windows.WSAEAFNOSUPPORT, "EAFNOSUPPORT", session.FaultUnreachable},
		{windows.WSAECONNRESET, "ECONNRESET", session.FaultReset},
		{windows.WSAENETRESET, "ENETRESET", session.FaultReset},
		{windows.WSAECONNABORTED, "ECONNABORTED", session.FaultReset},
		{windows.WSAEACCES, "EACCES", session.FaultPermission},
		{windows.WSAEMFILE, "EMFILE", session.FaultDescriptors},
	}
}
