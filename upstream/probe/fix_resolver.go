package probe

import "context"

// systemResolver stands for the DNS servers of the system.
const systemResolver = "system"

// ResolverRemedy asks other DNS servers where those of the settings know no
// address.
func (remedies) ResolverRemedy() remedy { return remedy{cost: 100, propose: otherResolvers} }

func otherResolvers(_ context.Context, s *search, at outcome) (list []settings) {
	if at.stage >= stageDNS || at.began.resolver != "" {
		return nil
	}
	for _, server := range s.want.Resolvers {
		next := at.began
		if next.resolver = server; server == "" {
			next.resolver = systemResolver
		}
		list = append(list, next)
	}
	return list
}
