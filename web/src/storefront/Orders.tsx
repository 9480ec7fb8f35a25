import { inWords } from "../dates";
import type { ShowOrder } from "./contract";

/** The orders that the agent has shown. */
export function Orders({ orders, hidden }: { orders: readonly ShowOrder[]; hidden: boolean }) {
  return (
    <section className="part orders" aria-label="Orders" data-testid="orders" hidden={hidden}>
      {orders.length === 0 ? (
        <p className="empty">Ask about an order, and it will appear here.</p>
      ) : (
        <ul>
          {orders.map((order) => (
            <Order key={order.number} order={order} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Order({ order }: { order: ShowOrder }) {
  return (
    <li className="order" data-testid="order" data-number={order.number}>
      <div className="order-head">
        <h3>Order {order.number}</h3>
        <span className="badge">{order.status}</span>
      </div>
      <ul className="order-items">
        {order.items.map((item, index) => (
          <li key={index}>
            <span className="quantity">{item.quantity} ×</span> {item.name}
          </li>
        ))}
      </ul>
      <dl className="facts">
        {order.expected_on && (
          <div>
            <dt>Expected</dt>
            <dd>{inWords(order.expected_on)}</dd>
          </div>
        )}
        <div>
          <dt>Total</dt>
          <dd>{order.total}</dd>
        </div>
      </dl>
    </li>
  );
}
