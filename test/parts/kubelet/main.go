// Command kubelet is the exec half of a node agent: it takes the streams that an API server opens for
// `POST /exec/NAMESPACE/POD/CONTAINER` with Kubernetes' own streaming server, and answers the one command that
// a mesh's proxy container has for reading its Envoy: `pilot-agent request METHOD PATH`. The request goes to the
// real admin port of the Envoy named by -admin; nothing is executed on this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	constants "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	streaming "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	"k8s.io/utils/exec"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	cert := flag.String("cert", "", "certificate file")
	key := flag.String("key", "", "private key file")
	admin := flag.String("admin", "", "address of Envoy's admin interface")
	flag.Parse()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		serveExec(w, r, agent{admin: *admin})
	})
	fmt.Printf("listening %s\n", listener.Addr())
	log.Fatal(http.ServeTLS(listener, mux, *cert, *key))
}

func serveExec(w http.ResponseWriter, r *http.Request, executor streaming.Executor) {
	options, err := streaming.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	log.Printf("exec %s/%s %s %q", r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"), r.URL.Query()["command"])
	streaming.ServeExec(w, r, executor, r.PathValue("pod"), "", r.PathValue("container"), r.URL.Query()["command"],
		options, time.Minute, 10*time.Second, constants.SupportedStreamingProtocols)
}

type agent struct{ admin string }

// ExecInContainer answers `pilot-agent request METHOD PATH`; every other command ends as a missing binary does.
func (a agent) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, command []string, _ io.Reader,
	out, errs io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if len(command) != 4 || command[0] != "pilot-agent" || command[1] != "request" {
		return exec.CodeExitError{Err: fmt.Errorf("no such command: %s", strings.Join(command, " ")), Code: 127}
	}
	request, err := http.NewRequestWithContext(ctx, command[2], "http://"+a.admin+"/"+strings.TrimPrefix(command[3], "/"), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		_, _ = fmt.Fprintln(errs, "Error: failed to execute request:", err)
		return exec.CodeExitError{Err: errors.New("exit status 1"), Code: 1}
	}
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	return err
}
