//! Requests to GitHub through the transport.

use serde_json::{Value, json};

use super::super::context::Place;
use super::super::transport::{
    Answer, GraphqlAnswer, GraphqlError, Listing, NoAnswer, Token, Transport,
};

#[derive(Clone)]
pub(super) struct Client {
    api: String,
    graphql: String,
    token: Token,
    transport: Transport,
}

impl Client {
    pub(super) fn new(place: &Place, token: &Token, transport: &Transport) -> anyhow::Result<Self> {
        Ok(Self {
            api: place.api.as_str().trim_end_matches('/').to_owned(),
            graphql: place.graphql.to_string(),
            token: token.clone(),
            transport: transport.clone(),
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        let request = self
            .transport
            .http()
            .get(format!("{}{path}", self.api))
            .bearer_auth(self.token.expose());
        let answer = self.transport.send(request, &format!("GET {path}")).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(NoAnswer::Status(answer))
        }
    }

    pub(super) async fn get_all(
        &self,
        path: &str,
        _envelope: Option<&str>,
    ) -> Result<Listing, NoAnswer> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let answer = self.get(&format!("{path}{mark}per_page=100")).await?;
        Ok(Listing {
            items: answer.json().unwrap_or_default(),
            sources: vec![answer.source],
            endpoint: answer.endpoint,
        })
    }

    pub(super) async fn graphql(
        &self,
        operation: &str,
        query: &str,
        variables: Value,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        let endpoint = format!("POST /graphql#{operation}");
        let body = json!({"query": query, "variables": variables, "operationName": operation});
        let request = self
            .transport
            .http()
            .post(&self.graphql)
            .bearer_auth(self.token.expose())
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = self.transport.send(request, &endpoint).await?;
        if !answer.is_success() {
            return Err(NoAnswer::Status(answer));
        }
        let value: Value = answer.json().unwrap_or(Value::Null);
        let errors = value["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| GraphqlError {
                message: error["message"].as_str().unwrap_or_default().to_owned(),
                kind: error["type"].as_str().map(str::to_owned),
                path: error["path"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|step| {
                        step.as_str()
                            .map_or_else(|| step.to_string(), str::to_owned)
                    })
                    .collect(),
            })
            .collect();
        Ok(GraphqlAnswer {
            status: answer.status,
            data: value.get("data").filter(|data| !data.is_null()).cloned(),
            errors,
            source: answer.source,
            endpoint,
            points: None,
        })
    }
}
