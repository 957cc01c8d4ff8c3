// Go's httputil.ReverseProxy alone: reverse-proxy PORT UPSTREAM_PORT [IDLE_CONNECTIONS]
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
)

func main() {
	target, err := url.Parse("http://127.0.0.1:" + os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	if len(os.Args) > 3 {
		// As it comes it keeps two connections per host for the next requests.
		idle, err := strconv.Atoi(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		proxy.Transport = &http.Transport{MaxIdleConnsPerHost: idle}
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], proxy))
}
