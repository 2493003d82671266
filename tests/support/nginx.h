#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/http_client.h"
#include "support/process.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {

/// A real nginx in front of a server, with the settings of docs/rest.md.
class Nginx {
 public:
  static constexpr const char* kMissing = "nginx is missing: Debian package nginx-light";
  static bool is_installed() { return ::access(kProgram, X_OK) == 0; }

  /// Passes requests on to a server of this machine; `folder` is its own, and what is in `folder`/pages it shows itself
  /// under /pages/.
  Nginx(const std::string& folder, std::uint16_t server)
      : port_(free_port()),
        process_({kProgram, "-p", folder, "-e", "stderr", "-c", write_config(folder, server)}, folder + "/nginx") {
    const bool is_up = eventually([&] { return status_of("/healthz") == 200; });
    if (!is_up) throw std::runtime_error("nginx does not start: " + process_.err());
  }
  ~Nginx() {
    process_.signal(SIGTERM);
    EXPECT_EQ(process_.wait(), 0) << process_.err();
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// What nginx answers; 0 when it does not.
  [[nodiscard]] int status_of(const std::string& target) const {
    try {
      return HttpClient(port_).get(target).value_or(HttpReply{}).status;
    } catch (const std::exception&) {
      return 0;
    }
  }

 private:
  static constexpr const char* kProgram = "/usr/sbin/nginx";

  [[nodiscard]] std::string write_config(const std::string& folder, std::uint16_t server) const {
    std::string temporary;
    for (const char* name : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      temporary += std::string(name) + "_temp_path " + folder + "/" + name + ";\n";
    }
    const std::string to_server = "proxy_pass http://127.0.0.1:" + std::to_string(server) + ";\n";
    std::string text = ::geteuid() == 0 ? "user root;\n" : "";
    text += "daemon off;\nmaster_process off;\npid " + folder + "/nginx.pid;\nerror_log stderr;\nevents {}\n";
    text += "http {\naccess_log off;\n" + temporary;
    text +=
        "map $http_origin $origin_for_tickpipe {\ndefault $http_origin;\n\"http://127.0.0.1:" + std::to_string(port_) +
        "\" \"http://127.0.0.1:" + std::to_string(server) + "\";\n}\n";
    text += "server {\nlisten 127.0.0.1:" + std::to_string(port_) + ";\nproxy_http_version 1.1;\n";
    text += "location / {\n" + to_server + "proxy_set_header Connection \"\";\nproxy_read_timeout 60s;\n}\n";
    text += "location /ws {\n" + to_server +
            "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n"
            "proxy_set_header Origin $origin_for_tickpipe;\n"
            "proxy_read_timeout 60s;\n}\n";
    text += "location /pages/ {\nroot " + folder + ";\ndefault_type text/html;\n}\n}\n}\n";
    const std::string path = folder + "/nginx.conf";
    write_file(path, text);
    return path;
  }
  static std::uint16_t free_port() {
    const HttpClient socket;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket.descriptor(), generic, size) != 0 || ::getsockname(socket.descriptor(), generic, &size) != 0) {
      throw std::runtime_error("no free port");
    }
    return ntohs(address.sin_port);
  }

  const std::uint16_t port_;
  Process process_;
};

}  // namespace tickpipe::internal::testing
