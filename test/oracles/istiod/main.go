// Command istiod is the translation half of a real control plane: for every world of objects on standard input, one JSON document a
// line, it runs istiod's own code and prints the Envoy configuration that istiod would send to the proxies asked for, one line a world.
//
//	{"id": "w1", "objects": [...], "views": [{"id": "p1", "type": "gateway", "namespace": "edge", "labels": {...}, "ip": "10.1.0.1"}]}
//	{"id": "w1", "refused": [...], "views": [{"id": "p1", "listeners": [...], "routes": [...], "clusters": [...], "servers": [...]}]}
//
// The id of a view is the name of its pod, which the objects should hold too: a gateway's ports come from the Services of its pod.
//
// `refused` names objects that an API server with Istio's CRDs and webhook would not have taken; they are translated nevertheless.
// Libraries write to standard output when they start: a reader keeps the lines that begin with `{`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/log"
)

// World is one place: everything its API server holds, and the proxies whose configuration is wanted.
type World struct {
	ID      string            `json:"id"`
	Objects []json.RawMessage `json:"objects"`
	Views   []ProxyView       `json:"views"`
}

// ProxyView is one proxy: a pod's sidecar or a gateway.
type ProxyView struct {
	ID             string            `json:"id"`
	Type           string            `json:"type"`
	Namespace      string            `json:"namespace"`
	Labels         map[string]string `json:"labels"`
	IP             string            `json:"ip"`
	ServiceAccount string            `json:"serviceAccount"`
	IstioVersion   string            `json:"istioVersion"`
}

// Answer is what istiod makes of a World.
type Answer struct {
	ID      string      `json:"id"`
	Refused []string    `json:"refused,omitempty"`
	Error   string      `json:"error,omitempty"`
	Views   []Generated `json:"views,omitempty"`
}

// Generated is the configuration of one proxy.
type Generated struct {
	ID        string            `json:"id"`
	Listeners []json.RawMessage `json:"listeners"`
	Routes    []json.RawMessage `json:"routes"`
	Clusters  []json.RawMessage `json:"clusters"`
	// Endpoints are the addresses that a cluster leads to, by the name of the cluster.
	Endpoints map[string][]string `json:"endpoints"`
	Servers   []Server            `json:"servers,omitempty"`
}

// Server is a server of a Gateway that istiod kept, and where it ended up.
type Server struct {
	Gateway string   `json:"gateway"`
	Port    uint32   `json:"port"`
	Listen  uint32   `json:"listen"`
	Bind    string   `json:"bind,omitempty"`
	TLS     bool     `json:"tls"`
	Hosts   []string `json:"hosts"`
}

func main() {
	options := log.DefaultOptions()
	options.SetDefaultOutputLevel("all", log.NoneLevel)
	_ = log.Configure(options)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			if wrong := out.Encode(answer(line)); wrong != nil {
				fmt.Fprintln(os.Stderr, wrong)
				os.Exit(1)
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func answer(line []byte) (result Answer) {
	var world World
	if err := json.Unmarshal(line, &world); err != nil {
		return Answer{Error: err.Error()}
	}
	result.ID = world.ID
	objects, refused, err := readObjects(world.Objects)
	result.Refused = refused
	if err == nil {
		result.Views, err = translate(objects, world.Views)
	}
	if err != nil {
		result.Error = err.Error()
	}
	return result
}

func asJSON[M proto.Message](messages []M) []json.RawMessage {
	out := make([]json.RawMessage, 0, len(messages))
	for _, message := range messages {
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
		if err != nil {
			text, _ = json.Marshal(map[string]string{"error": err.Error()})
		}
		out = append(out, text)
	}
	return out
}

func sortServers(servers []Server) {
	sort.Slice(servers, func(i, j int) bool {
		a, b := servers[i], servers[j]
		if a.Gateway != b.Gateway {
			return a.Gateway < b.Gateway
		}
		return a.Port < b.Port
	})
}
