#include "http/response_parser.h"

#include <strings.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

namespace http {

namespace beast = boost::beast;
using beast::error_code;

namespace {

base::Error parse_error(const error_code& error) {
  if (error == beast::http::error::partial_message) {
    return {base::Code::closed, "the server closed the connection within its response"};
  }
  if (error == beast::http::error::end_of_stream) {
    return {base::Code::closed, "the server closed the connection before its response"};
  }
  return {base::Code::io, fmt::format("malformed HTTP response: {}", error.message())};
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view ResponseHead::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (same_name(field.name, name)) return field.value;
  }
  return {};
}

class ResponseParser::Impl : public beast::http::basic_parser<false> {
 public:
  ResponseHead head;
  std::string body;

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       error_code&) override {}
  void on_response_impl(int code, beast::string_view reason, int, error_code&) override {
    head.status = static_cast<unsigned>(code);
    head.reason.assign(reason.data(), reason.size());
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    head.fields.push_back({std::string(name), std::string(value)});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view part, error_code&) override {
    body.append(part.data(), part.size());
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code&) override {
    body.append(part.data(), part.size());
    return part.size();
  }
  void on_finish_impl(error_code&) override {}
};

ResponseParser::ResponseParser(Options options) : options_(options) { restart(); }
ResponseParser::~ResponseParser() = default;

void ResponseParser::restart() {
  impl_ = std::make_unique<Impl>();
  impl_->header_limit(static_cast<std::uint32_t>(options_.max_head_bytes));
  impl_->body_limit(boost::none);
  impl_->skip(options_.without_body);
}

base::Result<std::size_t> ResponseParser::feed(base::Bytes input) {
  std::size_t taken = 0;
  while (taken < input.size() && !done()) {
    error_code error;
    const auto rest = input.subspan(taken);
    const auto step = impl_->put(boost::asio::buffer(rest.data(), rest.size()), error);
    taken += step;
    if (error == beast::http::error::need_more) break;
    if (error) return base::fail(parse_error(error));
    const auto status = impl_->head.status;
    if (impl_->is_done() && status >= 100 && status < 200 && status != 101) restart();
    if (step == 0) break;
  }
  return taken;
}

base::Result<void> ResponseParser::end() {
  if (done()) return {};
  error_code error;
  if (!impl_->got_some()) {
    error = beast::http::error::end_of_stream;
  } else {
    impl_->put_eof(error);
  }
  if (error) return base::fail(parse_error(error));
  return {};
}

bool ResponseParser::head_done() const { return impl_->is_header_done(); }
bool ResponseParser::done() const { return impl_->is_done(); }
bool ResponseParser::keep_alive() const { return impl_->keep_alive(); }
const ResponseHead& ResponseParser::head() const { return impl_->head; }
std::string ResponseParser::take_body() { return std::exchange(impl_->body, {}); }

}  // namespace http
