package main

import (
	"fmt"
	"sort"
	"strings"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/spiffe"
	"istio.io/istio/pkg/test"
)

// translate runs one istiod over the objects. Everything that it started has ended when this returns.
func translate(objects Objects, views []ProxyView) (out []Generated, err error) {
	wrapped := test.Wrap(func(t test.Failer) {
		defer func() {
			if reason := recover(); reason != nil {
				err = fmt.Errorf("istiod panics: %v", reason)
			}
		}()
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
			Configs:            objects.configs,
			KubernetesObjects:  objects.kube,
			MeshConfig:         objects.mesh,
			KubeClientModifier: withGatewayAPI(t),
		})
		for _, view := range views {
			out = append(out, generate(server, objects, view))
		}
	})
	if wrapped != nil {
		return nil, wrapped
	}
	return out, err
}

func generate(server *xds.FakeDiscoveryServer, objects Objects, view ProxyView) Generated {
	version := view.IstioVersion
	if version == "" {
		version = "1.31.0"
	}
	kind := model.SidecarProxy
	if view.Type == "gateway" {
		kind = model.Router
	}
	proxy := server.SetupProxy(&model.Proxy{
		Type:            kind,
		ID:              view.ID + "." + view.Namespace,
		ConfigNamespace: view.Namespace,
		Labels:          view.Labels,
		IPAddresses:     []string{view.IP},
		VerifiedIdentity: &spiffe.Identity{
			TrustDomain: domain, Namespace: view.Namespace, ServiceAccount: view.ServiceAccount,
		},
		Metadata: &model.NodeMetadata{
			Namespace: view.Namespace, Labels: view.Labels, IstioVersion: version, ClusterID: "Kubernetes",
			ProxyConfig: (*model.NodeMetaProxyConfig)(objects.mesh.GetDefaultConfig()),
		},
	})
	listeners := server.Listeners(proxy)
	return Generated{
		ID:        view.ID,
		Listeners: asJSON(listeners),
		Routes:    asJSON(server.RoutesFromListeners(proxy, listeners)),
		Clusters:  asJSON(server.Clusters(proxy)),
		Endpoints: endpointsOf(server, proxy),
		Servers:   serversOf(proxy.MergedGateway),
	}
}

func endpointsOf(server *xds.FakeDiscoveryServer, proxy *model.Proxy) map[string][]string {
	out := map[string][]string{}
	for _, assignment := range server.Endpoints(proxy) {
		addresses := []string{}
		for _, locality := range assignment.Endpoints {
			for _, endpoint := range locality.LbEndpoints {
				addresses = append(addresses, endpoint.GetEndpoint().GetAddress().GetSocketAddress().GetAddress())
			}
		}
		sort.Strings(addresses)
		out[assignment.ClusterName] = addresses
	}
	return out
}

func serversOf(merged *model.MergedGateway) []Server {
	if merged == nil {
		return nil
	}
	var out []Server
	for port, group := range merged.MergedServers {
		for _, server := range group.Servers {
			// Servers of Gateway API objects carry the name of their listener behind a tilde.
			name, _, _ := strings.Cut(merged.GatewayNameForServer[server], "~")
			out = append(out, Server{
				Gateway: name, Port: server.Port.Number, Listen: port.Number, Bind: port.Bind,
				TLS: server.Tls != nil && server.Port.Protocol != "HTTP", Hosts: server.Hosts,
			})
		}
	}
	sortServers(out)
	return out
}
